/**
 * From a place in the metrics tree to a Prometheus name and labels, by linkerd's rules: what varies (router,
 * service, client, server, exception) leaves the name and becomes a label. Label values are escaped as the
 * text format says.
 */
export type Place = {
  /** Segments that make the name. */
  readonly prefix: readonly string[];
  readonly labels: readonly (readonly [name: string, value: string])[];
};

export const rootPlace: Place = { prefix: [], labels: [] };

const STACKS: ReadonlySet<string> = new Set(['service', 'client', 'server']);

/**
 * The place of the child `segment` of the node at `place`; without `exceptions` their names stay in the name.
 */
export function childPlace(place: Place, segment: string, exceptions = true): Place {
  const { prefix, labels } = place;
  const [first, second, third] = prefix;
  if (first === 'tls' && second === 'cert_expiry_seconds') {
    return { prefix, labels: [...labels, ['file', segment]] };
  }
  if (first === 'k8s' && prefix.length === 1 && labels.length === 0) {
    return { prefix, labels: [['server', segment]] };
  }
  if (first === 'rt') {
    const has = (name: string) => labels.some((label) => label[0] === name);
    const labelled = (name: string, shorter: readonly string[] = prefix): Place => ({
      prefix: shorter,
      labels: [...labels, [name, segment]],
    });
    if (prefix.length === 1 && !has('rt')) return labelled('rt');
    if (second !== undefined && STACKS.has(second)) {
      if (prefix.length === 2 && !has(second)) return labelled(second);
      if (prefix.length === 3 && second === 'client' && third === 'service' && !has('service')) {
        return labelled('service');
      }
      const failing = exceptions && (third === 'failures' || third === 'exn');
      if (prefix.length === 3 && failing && !has('exception')) {
        return labelled('exception', [first, second, third === 'exn' ? 'exceptions' : third]);
      }
      if (has('exception')) return { prefix, labels: deeper(labels, segment) };
    }
  }
  return { prefix: [...prefix, segment], labels };
}

/** `exception` is the last label of such a place. A chain of exceptions is one value: `A:B`. */
function deeper(labels: Place['labels'], segment: string): Place['labels'] {
  return labels.map(([name, value]) =>
    name === 'exception' ? [name, `${value}:${segment}`] : [name, value],
  );
}

/** `configured` is the telemeter's prefix, put in front without a separator. */
export function familyName(configured: string, prefix: readonly string[]): string {
  const name = `${configured}${prefix.join(':')}`.replace(/[^a-zA-Z0-9:]/gu, '_');
  return /^[a-zA-Z_:]/.test(name) ? name : `_${name}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

export function labelText(labels: Place['labels']): string {
  return labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(', ');
}

function escapeLabel(value: string): string {
  const text = value.toWellFormed();
  return /[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (char) => ESCAPES[char] ?? char) : text;
}
