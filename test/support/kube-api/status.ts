/** Status objects, worded as the real server words them. */
import { type Kind, qualified } from './kinds.ts';

export type Status = {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, unknown>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  readonly details?: unknown;
  readonly code: number;
};

export function status(code: number, reason: string, message: string, details?: unknown): Status {
  const common = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;
  return details === undefined
    ? { ...common, message, reason, code }
    : { ...common, message, reason, details, code };
}

export const unauthorized = (): Status => status(401, 'Unauthorized', 'Unauthorized');

export function forbidden(kind: Kind, verb: string, namespace: string | undefined, user: string): Status {
  const place = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return status(
    403,
    'Forbidden',
    `${qualified(kind)} is forbidden: User "${user}" cannot ${verb} resource "${kind.plural}" ` +
      `in API group "${kind.group}" ${place}`,
    { group: kind.group, kind: kind.plural },
  );
}

export function notFound(kind: Kind, name: string): Status {
  const details = { name, group: kind.group, kind: kind.plural };
  return status(404, 'NotFound', `${qualified(kind)} "${name}" not found`, details);
}

export function alreadyExists(kind: Kind, name: string): Status {
  const details = { name, group: kind.group, kind: kind.plural };
  return status(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, details);
}

export function conflict(kind: Kind, name: string): Status {
  const message =
    `Operation cannot be fulfilled on ${qualified(kind)} "${name}": the object has been modified; ` +
    'please apply your changes to the latest version and try again';
  return status(409, 'Conflict', message, { name, group: kind.group, kind: kind.plural });
}

export const badRequest = (message: string): Status => status(400, 'BadRequest', message);

export const internalError = (): Status =>
  status(500, 'InternalError', 'Internal error occurred: etcdserver: request timed out', {
    causes: [{ message: 'etcdserver: request timed out' }],
  });

export const expired = (version: number, oldest: number): Status =>
  status(410, 'Expired', `too old resource version: ${version} (${oldest})`);

export const expiredContinue = (): Status =>
  status(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. ' +
      'You can start a new list without the continue parameter.',
  );
