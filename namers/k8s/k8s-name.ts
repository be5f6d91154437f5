/** The names of the Kubernetes namers: `<namespace>/<port>/<service>[/<label value>]/residual`. */
import { Path } from '../../dtab/path.ts';
import { isDnsLabel, isLabelValue } from '../../k8s/selection.ts';
import type { ServiceKey } from './service-slices.ts';

export type K8sNames = {
  /** Absent: the first segment of every name. */
  readonly namespace?: string | undefined;
  /** The label whose value is the last segment of every name. */
  readonly label?: string | undefined;
};

/** What a name says, in lower case, and what comes after it. */
export type K8sName = ServiceKey & { readonly port: string; readonly name: Path; readonly residual: Path };

/** Undefined for a path that is too short, and for what no service can be called. */
export function parseK8sName(path: Path, { namespace: own, label }: K8sNames): K8sName | undefined {
  const size = (own === undefined ? 3 : 2) + (label === undefined ? 0 : 1);
  if (path.size < size) return undefined;
  const name = new Path(path.take(size).segments.map(lowerCase));
  const segments = own === undefined ? name.segments : [own, ...name.segments];
  const [namespace = '', port = '', service = '', value = ''] = segments;
  if (!isDnsLabel(namespace) || !isDnsLabel(service) || !isLabelValue(value)) return undefined;
  const labelSelector = label === undefined ? undefined : `${label}=${value}`;
  return { namespace, port, service, labelSelector, name, residual: path.drop(size) };
}

/** ASCII letters only: the other characters of a label stand for single bytes, which have no case. */
function lowerCase(label: string): string {
  return label.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
