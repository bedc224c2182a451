/** The version of this build; a test holds it equal to package.json. It is written into every plan ("build"). */
export const VERSION = '0.1.0';
