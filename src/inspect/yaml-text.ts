/** Plain data as YAML, for people. */
import { stringify } from 'yaml';

export function yamlText(value: unknown): string {
  return stringify(value);
}
