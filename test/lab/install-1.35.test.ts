import { expectInstalls } from './support/other-version.js';

expectInstalls('1.35.4');
