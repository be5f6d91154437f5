/** The rates of the last minute, as a line that needs no reading: the numbers stand beside it. */

const WIDTH = 80;
const HEIGHT = 20;

export function Sparkline({
  values,
  length,
}: {
  readonly values: readonly number[];
  readonly length: number;
}) {
  const most = Math.max(0, ...values);
  const top = Math.max(1, most);
  const step = WIDTH / (length - 1);
  const start = WIDTH - (values.length - 1) * step;
  const points = values.map((value, i) => {
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    return `${(start + i * step).toFixed(1)},${y.toFixed(1)}`;
  });
  // Of what is idle no further zeros are kept.
  const shown = most === 0 ? `0,${HEIGHT - 1} ${WIDTH},${HEIGHT - 1}` : points.join(' ');
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={shown} />
    </svg>
  );
}
