/** Runs a table of raw cases, some at a time, on routers that one file shares. */
import { after, describe, it } from 'node:test';
import { noSocketsLeft } from '../support/rig.ts';
import { Lane } from './lane.ts';
import type { LaneKind, RawCase } from './raw-case.ts';

const free: Record<LaneKind, Lane[]> = { plain: [], buffered: [], slow: [] };
const all: Lane[] = [];

async function take(kind: LaneKind): Promise<Lane> {
  const lane = free[kind].pop();
  if (lane !== undefined) return lane;
  const made = await Lane.open(kind);
  all.push(made);
  return made;
}

/** Once a test file, before its tables. */
export function closesLanes(): void {
  after(async () => {
    const lanes = all.splice(0);
    for (const lane of lanes) await lane.close();
    await noSocketsLeft();
  });
}

export function table(name: string, cases: readonly RawCase[], concurrency = 4): void {
  describe(name, { concurrency }, () => {
    for (const each of cases) {
      for (const kind of each.lanes ?? ['plain']) {
        it(kind === 'plain' ? each.title : `${each.title} (${kind})`, async () => {
          const lane = await take(kind);
          await lane.run(each);
          // A lane on which a case has failed is not used for another.
          free[kind].push(lane);
        });
      }
    }
  });
}

/** Many small tables, one test each: a failure names its case. */
export function tables(
  name: string,
  places: readonly { readonly place: string; readonly cases: readonly RawCase[] }[],
): void {
  describe(name, { concurrency: 4 }, () => {
    for (const { place, cases } of places) {
      it(`${place} (${cases.length} cases)`, async () => {
        const lane = await take('plain');
        for (const each of cases) {
          try {
            await lane.run(each);
          } catch (error) {
            throw new Error(each.title, { cause: error });
          }
        }
        free.plain.push(lane);
      });
    }
  });
}
