/**
 * A path: the name of something, as a list of labels. A label is a non-empty byte string, kept as a string
 * with one character (0x00..0xff) a byte. `show` is the printed, canonical form; it is computed once and is
 * the identity of the path in every cache and metric. Grammar: linkerd's (finagle `NameTreeParsers`).
 */
export class Path {
  static readonly empty = new Path([]);

  readonly segments: readonly string[];
  #show: string | undefined;

  constructor(segments: readonly string[]) {
    this.segments = segments;
  }

  static of(...segments: string[]): Path {
    return segments.length === 0 ? Path.empty : new Path(segments);
  }

  get show(): string {
    if (this.#show === undefined) this.#show = showSegments(this.segments);
    return this.#show;
  }

  get size(): number {
    return this.segments.length;
  }

  get isEmpty(): boolean {
    return this.segments.length === 0;
  }

  take(count: number): Path {
    if (count >= this.segments.length) return this;
    return count <= 0 ? Path.empty : new Path(this.segments.slice(0, count));
  }

  drop(count: number): Path {
    if (count <= 0) return this;
    return count >= this.segments.length ? Path.empty : new Path(this.segments.slice(count));
  }

  concat(other: Path): Path {
    if (other.isEmpty) return this;
    return this.isEmpty ? other : new Path([...this.segments, ...other.segments]);
  }

  startsWith(other: Path): boolean {
    if (other.segments.length > this.segments.length) return false;
    return other.segments.every((segment, i) => segment === this.segments[i]);
  }

  equals(other: Path): boolean {
    return this === other || this.show === other.show;
  }

  toString(): string {
    return this.show;
  }
}

const SHOWABLE = /^[0-9A-Za-z_:.#$%-]+$/;

/** A label is printed as it is when every byte is showable, otherwise with every byte escaped. */
export function showLabel(label: string): string {
  if (SHOWABLE.test(label)) return label;
  let shown = '';
  for (let i = 0; i < label.length; i++) shown += `\\x${label.charCodeAt(i).toString(16).padStart(2, '0')}`;
  return shown;
}

export function showSegments(segments: readonly string[]): string {
  if (segments.length === 0) return '/';
  let shown = '';
  for (const segment of segments) shown += `/${showLabel(segment)}`;
  return shown;
}
