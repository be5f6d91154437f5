/** What is valid in a configuration and cannot be meant: by its tables alone, without asking any service. */
import { setImmediate } from 'node:timers/promises';
import { dtabOf } from '../../config/name-decoders.ts';
import type { LinkerSpec, NamerSpec, RouterSpec } from '../../config/spec.ts';
import { suggest } from '../../config/suggest.ts';
import type { Dentry, Dtab, Namer } from '../../dtab/names.ts';
import { neg } from '../../dtab/names.ts';
import { readPath } from '../../dtab/parse.ts';
import { showDentry, showPrefix } from '../../dtab/show.ts';
import { okActivity } from '../base/activity.ts';
import type { DelegationNode } from '../inspect/node.ts';
import { Offline } from '../inspect/offline.ts';
import { leavesOf, reachedEntries, shadowOf } from './reach.ts';

export type Rule = 'shadowed' | 'unreachable' | 'loop' | 'unknown-namer' | 'duplicate' | 'shadowed-namer';

export type Finding = {
  readonly rule: Rule;
  readonly source: string;
  /** Where the entry begins; absent for what has no place of its own. */
  readonly line?: number;
  readonly column?: number;
  readonly router?: string;
  readonly message: string;
};

const absent: Namer = { lookup: () => okActivity(neg) };

export async function lint(spec: LinkerSpec): Promise<readonly Finding[]> {
  const offline = new Offline(spec, () => absent);
  try {
    const found = spec.routers.map((router) => lintRouter(router, spec, offline));
    return [...lintNamers(spec), ...(await Promise.all(found)).flat()];
  } finally {
    offline.close();
  }
}

async function lintRouter(
  router: RouterSpec,
  spec: LinkerSpec,
  offline: Offline,
): Promise<readonly Finding[]> {
  const dtab = dtabOf(router.dtab);
  const findings: Finding[] = [];
  const note = (rule: Rule, dentry: Dentry, message: string): void => {
    findings.push({ rule, ...placeOf(dentry, spec.source), router: router.label, message });
  };
  // The interpreter may have entries of its own, which lead to any of these.
  const reached =
    router.interpreter.kind === 'default'
      ? reachedEntries(dtab, readPath(router.dstPrefix).segments, (stem) => rewritten(stem, spec.namers))
      : new Set(dtab);
  const all = dtab.map(showDentry);
  for (const [i, dentry] of dtab.entries()) {
    // It may be asked of a process that has other things to do.
    await setImmediate();
    const shown = all[i] ?? '';
    const twin = dtab[all.indexOf(shown, i + 1)];
    const shadow = shadowOf(dtab, i);
    if (twin !== undefined) note('duplicate', dentry, `${shown} stands again at ${lineOf(twin)}`);
    else if (shadow !== undefined) {
      note(
        'shadowed',
        dentry,
        `${shown} is never used: ${showDentry(shadow)} (${lineOf(shadow)}) always answers first`,
      );
    } else if (!reached.has(dentry)) {
      note(
        'unreachable',
        dentry,
        `${shown} is never used: no name under ${router.dstPrefix} leads to ${showPrefix(dentry.prefix)}`,
      );
    }
    const unknown = unknownNamers(dentry, spec.namers);
    for (const message of unknown) note('unknown-namer', dentry, message);
    const way = await offline.delegate(router.label, '', samplePath(dentry));
    const problems = [...new Set(messagesIn(way))];
    if (problems.some((message) => /max recursion level/i.test(message)) && loops(dtab, dentry)) {
      note('loop', dentry, `${shown} leads back to itself`);
    }
    for (const message of problems) {
      if (/^Unknown namer: /.test(message) && own(dentry, message)) note('unknown-namer', dentry, message);
    }
  }
  return findings;
}

/** An entry that is on the circle itself, not one that leads into it. */
function loops(dtab: Dtab, dentry: Dentry): boolean {
  return leavesOf(dentry.dst).some((leaf) => reachedEntries(dtab, leaf.segments, () => []).has(dentry));
}

/** Whether the message is about a path that this entry names. */
function own(dentry: Dentry, message: string): boolean {
  return leavesOf(dentry.dst).some(({ show }) => message.includes(show));
}

function lintNamers({ namers, source }: LinkerSpec): readonly Finding[] {
  return namers.flatMap(({ prefix }, i): Finding[] => {
    const later = namers.findIndex((other, j) => j > i && other.prefix === prefix);
    if (later === -1) return [];
    const message = `namers[${i}] has the prefix ${prefix} of namers[${later}], which is asked first`;
    return [{ rule: 'shadowed-namer', source, message }];
  });
}

function unknownNamers(dentry: Dentry, namers: readonly NamerSpec[]): readonly string[] {
  const known = namers.map(({ prefix }) => `/#${prefix}`);
  return leavesOf(dentry.dst).flatMap(({ show, segments }) => {
    if (segments[0] !== '#' || segments.length === 1) return [];
    const fits = known.some((prefix) => `${show}/`.startsWith(`${prefix}/`) || prefix.startsWith(`${show}/`));
    if (fits) return [];
    const near = suggest(`/#/${segments[1]}`, known);
    const hint = near === undefined ? `; there are ${known.join(', ') || 'none'}` : `; did you mean ${near}?`;
    return [`no namer has the name ${show}${hint}`];
  });
}

/** What a rewriting namer makes of names, as far as it begins with fixed labels. */
function rewritten(stem: readonly (string | null)[], namers: readonly NamerSpec[]): (string | null)[][] {
  const [root, kind, first] = stem;
  if (root === '$' && kind?.endsWith('Pfx') === true && typeof first === 'string') return [[first]];
  if (root !== '#') return [];
  return namers.flatMap((namer) => {
    if (namer.kind !== 'io.l5d.rewrite' || namer.prefix !== `/${kind}`) return [];
    const labels = namer.name.split('/').filter((label) => label !== '');
    const fixed = labels.findIndex((label) => label.includes('{'));
    return [fixed === -1 ? labels : labels.slice(0, fixed)];
  });
}

/** A name that the entry matches, with something after it. */
function samplePath({ prefix }: Dentry): string {
  const labels = prefix.map((element) => element ?? 'x');
  return `${showPrefix([...labels, 'x', 'x'])}`;
}

function messagesIn(node: DelegationNode): readonly string[] {
  const below = [
    node.delegate,
    node.tree,
    ...(node.alt ?? []),
    ...(node.union ?? []).map(({ tree }) => tree),
  ];
  const own = node.message === undefined ? [] : [node.message];
  return [...own, ...below.flatMap((each) => (each === undefined ? [] : messagesIn(each)))];
}

function placeOf({ position }: Dentry, source: string): Pick<Finding, 'source' | 'line' | 'column'> {
  if (position === undefined) return { source };
  return { source: position.source ?? source, line: position.line, column: position.column };
}

function lineOf({ position }: Dentry): string {
  return position === undefined ? 'the dtab' : `line ${position.line}`;
}
