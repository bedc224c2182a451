import { ConfigProblem, type Place } from './lines.js';

/**
 * `%` tokens of ssh_config(5), TOKENS.
 *
 * @param tokens value of each letter that may stand here
 * @throws ConfigProblem for any other
 */
export function expandTokens(text: string, tokens: Readonly<Record<string, string>>, place: Place): string {
  return text.replace(/%(.?)/gs, (token, letter: string) => {
    const value = letter === '%' ? '%' : tokens[letter];
    if (value === undefined)
      throw new ConfigProblem(place, `the token ${token} in ${text} is not supported here`, true);
    return value;
  });
}

/** `${NAME}`. @throws ConfigProblem for a variable that is not set, as OpenSSH does */
export function expandEnvironment(text: string, env: NodeJS.ProcessEnv, place: Place): string {
  return text.replace(/\$\{([^}]*)\}/g, (written, name: string) => {
    const value = env[name];
    if (value === undefined) throw new ConfigProblem(place, `the variable ${written} is not set`);
    return value;
  });
}
