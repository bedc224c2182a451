/** The version; a test holds it equal to package.json. `BUILD` names the commit, too. */
export const VERSION = '0.1.0';
