/**
 * Medians of rounds, and the table that is printed: Markdown, so that it can stand in a document as it is.
 */
import type { ProxyName } from './proxies.ts';
import type { Scenario } from './scenarios.ts';

export type Round = {
  readonly microsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
  readonly residentBytes: number;
};

export type Results = ReadonlyMap<Scenario, ReadonlyMap<ProxyName, readonly Round[]>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function report(results: Results): string {
  const lines = [
    '| scenario | proxy | CPU µs/request | / haproxy | / nginx | requests/s | MB | errors |',
    '|---|---|--:|--:|--:|--:|--:|--:|',
  ];
  for (const [scenario, proxies] of results) {
    const cost = (name: ProxyName): number => {
      const rounds = proxies.get(name);
      return rounds === undefined ? Number.NaN : median(rounds.map((round) => round.microsPerRequest));
    };
    for (const [name, rounds] of proxies) {
      const middle = (pick: (round: Round) => number): number => median(rounds.map(pick));
      const cells = [
        scenario.name,
        name,
        cost(name).toFixed(1),
        ratio(cost(name), cost('haproxy')),
        ratio(cost(name), cost('nginx')),
        middle((round) => round.requestsPerSecond).toFixed(0),
        (middle((round) => round.residentBytes) / 1e6).toFixed(0),
        rounds.reduce((sum, round) => sum + round.errors, 0).toString(),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

function ratio(cost: number, reference: number): string {
  return Number.isNaN(reference) ? '–' : (cost / reference).toFixed(2);
}
