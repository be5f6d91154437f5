/** Requests and failures a second over the last minutes. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { TOTALS, type Total } from './overview-feed.ts';

const HEIGHT = 180;
const LEAST_SECONDS = 60;

/** Its colours are those of the theme in which it was made. */
export function RateChart({ totals }: { readonly totals: readonly Total[] }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(options(element), [[], [], []], element);
    chart.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, []);
  useEffect(() => {
    const seconds = totals.map(({ atMs }) => atMs / 1000);
    chart.current?.setData([seconds, totals.map(({ rps }) => rps), totals.map(({ failed }) => failed)]);
    const last = seconds.at(-1);
    const span = Math.max(LEAST_SECONDS, (last ?? 0) - (seconds[0] ?? 0));
    if (last !== undefined) chart.current?.setScale('x', { min: last - Math.min(TOTALS, span), max: last });
  });
  const latest = totals.at(-1);
  const text =
    latest === undefined
      ? 'No measurements yet'
      : `Requests a second: ${latest.rps.toFixed(1)}, failures: ${latest.failed.toFixed(1)}`;
  return <div ref={box} class="chart" role="img" aria-label={text} />;
}

function options(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const y = {
    ...axis,
    size: 48,
    values: (_: uPlot, splits: number[]) => splits.map((value) => String(value)),
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    legend: { live: true },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    series: [
      { value: (_, seconds) => (seconds === null ? '–' : timeText(seconds)) },
      {
        label: 'requests/s',
        stroke: colour('--accent'),
        fill: colour('--accent-faint'),
        width: 2,
        value: (_, value) => shown(value),
      },
      { label: 'failures/s', stroke: colour('--bad'), width: 2, value: (_, value) => shown(value) },
    ],
    axes: [{ ...axis, values: (_, splits) => splits.map(timeText) }, y],
  };
}

const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(1));

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}
