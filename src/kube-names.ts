/** Names of Kubernetes objects on the command line. */
import { Mistake } from './command.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Throws a Mistake. */
export function namespaceName(name: string): string {
  if (LABEL.test(name)) return name;
  throw new Mistake(`a namespace has lower-case letters, digits and -, at most 63 of them, not ${name}`);
}

/** Throws a Mistake. */
export function objectName(name: string): string {
  if (name.length <= 253 && name.split('.').every((label) => LABEL.test(label))) return name;
  throw new Mistake(`a name has lower-case letters, digits, - and ., at most 253 of them, not ${name}`);
}
