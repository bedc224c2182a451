import { stringify } from 'yaml';

/** Joins objects to one multi-document YAML file, with a first line that says who wrote it. Undefined fields are left out. */
export function renderYaml(...documents: object[]): string {
  const texts = documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `# Written by Kubewright; the next install writes it anew.\n${texts.join('---\n')}`;
}
