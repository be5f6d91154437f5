/**
 * A small regular expression that a whole path must match: characters, `.`, `[^/]`, `\` before a character,
 * each with `*`, `+` or `?` behind it. Whoever may create an Ingress in a cluster can write one, so it is
 * matched in a time that grows with its length times that of the path, whatever both are.
 */
type Atom = {
  /** `any`, `not /`, or the character. */
  readonly accepts: (char: string) => boolean;
  readonly optional: boolean;
  readonly many: boolean;
};

const LENGTH_MAX = 256;
const SPECIAL = /[.*+?^$()[\]{}|\\]/;
const ATOM = /\[\^\/\]|\\[^A-Za-z0-9]|[^*+?^$()[\]{}|\\]/y;

export class PathPattern {
  readonly #atoms: readonly Atom[];

  private constructor(atoms: readonly Atom[]) {
    this.#atoms = atoms;
  }

  /** True when a path has to be read as a pattern to mean anything else than itself. */
  static isPattern(path: string): boolean {
    return SPECIAL.test(path.replaceAll('.', '')) || /\.[*+?]/.test(path);
  }

  /** Undefined when it is longer or says more than this knows. */
  static of(text: string): PathPattern | undefined {
    if (text.length > LENGTH_MAX) return undefined;
    const whole = text.replace(/^\^/, '').replace(/\$$/, '');
    const atoms: Atom[] = [];
    for (let at = 0; at < whole.length; ) {
      ATOM.lastIndex = at;
      const [written = ''] = ATOM.exec(whole) ?? [];
      if (written === '') return undefined;
      at += written.length;
      const quantifier = whole[at] ?? '';
      const repeated = quantifier !== '' && '*+?'.includes(quantifier);
      if (repeated) at++;
      atoms.push({
        accepts: acceptedBy(written),
        optional: repeated && quantifier !== '+',
        many: repeated && quantifier !== '?',
      });
    }
    return new PathPattern(atoms);
  }

  matches(path: string): boolean {
    const atoms = this.#atoms;
    /** True at i: what was read so far may be matched by the first i atoms. */
    let reached = new Uint8Array(atoms.length + 1);
    reached[0] = 1;
    this.#skipOptional(reached);
    for (let k = 0; k < path.length; k++) {
      const char = path[k] as string;
      const next = new Uint8Array(atoms.length + 1);
      let alive = false;
      for (let i = 0; i < atoms.length; i++) {
        const atom = atoms[i] as Atom;
        if ((reached[i] === 1 || (atom.many && reached[i + 1] === 1)) && atom.accepts(char)) {
          next[i + 1] = 1;
          alive = true;
        }
      }
      if (!alive) return false;
      this.#skipOptional(next);
      reached = next;
    }
    return reached[atoms.length] === 1;
  }

  #skipOptional(reached: Uint8Array): void {
    for (let i = 0; i < this.#atoms.length; i++) {
      if (reached[i] === 1 && this.#atoms[i]?.optional) reached[i + 1] = 1;
    }
  }
}

function acceptedBy(written: string): Atom['accepts'] {
  if (written === '.') return () => true;
  if (written === '[^/]') return (char) => char !== '/';
  const wanted = written.length === 2 ? written[1] : written;
  return (char) => char === wanted;
}
