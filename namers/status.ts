/**
 * `/$/io.buoyant.http.status/<100..599>/rest`: a pseudo-service. It binds to an address set without addresses
 * whose metadata tells the router to answer every request itself with that status.
 */

import { type Bound, leaf, type Name, type NameTree, neg } from '../dtab/names.ts';
import { Path } from '../dtab/path.ts';
import { type Activity, okActivity } from '../src/base/activity.ts';
import { constant } from '../src/base/var.ts';

const PREFIX = Path.of('$', 'io.buoyant.http.status');

/** `rest` is what follows the prefix. Anything but a status is neg. */
export function statusName(rest: Path): Activity<NameTree<Name>> {
  const code = rest.segments[0];
  if (code === undefined || !/^[1-5][0-9]{2}$/.test(code)) return okActivity(neg);
  const bound: Bound = {
    type: 'bound',
    id: PREFIX.concat(rest.take(1)),
    addr: constant({ type: 'bound', addresses: [], meta: { status: Number(code) } }),
    residual: rest.drop(1),
  };
  return okActivity(leaf<Name>(bound));
}
