/** What a check found, and how it is printed: the glyphs and the JSON of linkerd's check. */
import type { Paint } from '../commands/common.ts';

/** Each has a section of hints in docs/operations.md. */
export type CheckId =
  | 'config-valid'
  | 'config-lint'
  | 'config-generation'
  | 'port-free'
  | 'port-open'
  | 'certificate'
  | 'api-access'
  | 'clock'
  | 'dns'
  | 'descriptors'
  | 'admin'
  | 'ready'
  | 'request';

export type CheckResult = {
  readonly id: CheckId;
  readonly description: string;
  readonly result: 'success' | 'warning' | 'error';
  /** What is wrong; absent with success. */
  readonly problem?: string;
};

export type Category = {
  readonly name: string;
  run(): AsyncIterable<CheckResult> | Iterable<CheckResult>;
};

/** `problem` absent: success. */
export function checked(
  id: CheckId,
  description: string,
  problem?: string,
  severity: 'warning' | 'error' = 'error',
): CheckResult {
  return problem === undefined
    ? { id, description, result: 'success' }
    : { id, description, result: severity, problem };
}

export function hintOf({ id }: CheckResult): string {
  return `docs/operations.md#${id}`;
}

export function checkText(check: CheckResult, paint: Paint): string {
  const { description, result, problem = '' } = check;
  if (result === 'success') return `${paint.green('√')} ${description}\n`;
  const glyph = result === 'error' ? paint.red('×') : paint.yellow('‼');
  const lines = problem.split('\n').map((line) => `    ${line}\n`);
  return `${glyph} ${description}\n${lines.join('')}    see ${hintOf(check)} for hints\n`;
}

export function checksJson(
  categories: readonly { readonly name: string; readonly checks: readonly CheckResult[] }[],
): object {
  return {
    success: categories.every(({ checks }) => checks.every(({ result }) => result !== 'error')),
    categories: categories.map(({ name, checks }) => ({
      categoryName: name,
      checks: checks.map((check) => ({
        description: check.description,
        result: check.result,
        ...(check.problem === undefined ? {} : { hint: hintOf(check), error: check.problem }),
      })),
    })),
  };
}
