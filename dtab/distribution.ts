/**
 * The share of requests that each bound id receives in the long run, and the share that fails because its
 * branch holds no destination. This is the law that choosing by weight has to follow. Weights count among
 * siblings only; siblings that all have weight zero share evenly.
 */
import { type Bound, type NameTree, neg } from './names.ts';
import { simplify } from './simplify.ts';

export type Distribution = {
  /** By the printed id. */
  readonly shares: ReadonlyMap<string, number>;
  readonly unavailable: number;
};

export function distribution(tree: NameTree<Pick<Bound, 'id'>>): Distribution {
  const shares = new Map<string, number>();
  let unavailable = 0;
  const spread = (part: NameTree<Pick<Bound, 'id'>>, share: number): void => {
    switch (part.type) {
      case 'leaf': {
        const id = part.value.id.show;
        shares.set(id, (shares.get(id) ?? 0) + share);
        return;
      }
      case 'union': {
        // Scaled by the largest, so that sums of huge weights stay finite.
        if (part.trees.length === 0) unavailable += share;
        const largest = part.trees.reduce((most, { weight }) => Math.max(most, weight), 0);
        const scaled = part.trees.map(({ weight }) => (largest > 0 ? weight / largest : 1));
        const sum = scaled.reduce((total, weight) => total + weight, 0);
        part.trees.forEach((each, i) => {
          spread(each.tree, (share * (scaled[i] ?? 0)) / sum);
        });
        return;
      }
      case 'alt': {
        // Binding leaves no alternatives; the first that is not negative would have decided.
        const simple = simplify(part);
        const decided = simple.type === 'alt' ? simple.trees[0] : simple;
        spread(decided ?? neg, share);
        return;
      }
      default:
        unavailable += share;
    }
  };
  spread(tree, 1);
  return { shares, unavailable };
}
