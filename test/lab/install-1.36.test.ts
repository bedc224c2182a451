import { expectInstalls } from './support/other-version.js';

expectInstalls('1.36.3');
