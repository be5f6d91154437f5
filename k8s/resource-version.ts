/**
 * Resource versions are opaque: equal or not. Where both are decimal numbers, as all those of Kubernetes' own
 * resources are, the greater one is the later; only that is used, and only against replays.
 */
const DECIMAL = /^[1-9][0-9]*$/;

/** False also when it cannot be told. */
export function isOlder(version: string, than: string): boolean {
  if (!DECIMAL.test(version) || !DECIMAL.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
