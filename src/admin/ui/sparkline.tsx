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
  const top = Math.max(1, ...values);
  const step = WIDTH / (length - 1);
  const start = WIDTH - (values.length - 1) * step;
  const points = values.map((value, i) => {
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    return `${(start + i * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
