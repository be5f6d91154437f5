/** Who answers questions about names: a router that runs, or a configuration that is evaluated here. */
import type { Identification } from '../admin/sources.ts';
import { CannotRun } from '../command.ts';
import type { DelegationNode } from './node.ts';

export type RequestView = {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** `Name: value` */
  readonly headers: readonly string[];
};

/** What is known of an endpoint beyond its address. */
export type EndpointHealth = { readonly status?: string; readonly accrual?: string };

export interface Namings {
  /** What is asked, for people: `127.0.0.1:9990` or the file. */
  readonly about: string;
  /** Labels, in the order of the configuration. */
  routers(): Promise<readonly string[]>;
  identify(request: RequestView): Promise<Readonly<Record<string, Identification>>>;
  /** `dtab` comes after the router's own, as an override of a request. Throws CannotRun. */
  delegate(router: string, dtab: string, path: string): Promise<DelegationNode>;
  /** All names that the namers can list. */
  names(): Promise<readonly string[]>;
  /** By `host:port`; empty where nobody knows. */
  health(router: string, id: string): Promise<ReadonlyMap<string, EndpointHealth>>;
  close(): void;
}

/** The labels of all routers, of which `only` has to be one. */
export async function labelsOf(
  namings: Pick<Namings, 'routers' | 'about'>,
  only: string | undefined,
): Promise<readonly string[]> {
  const labels = await namings.routers();
  if (only === undefined || labels.includes(only)) return labels;
  throw new CannotRun(`there is no router ${only} at ${namings.about}; there are ${labels.join(', ')}`);
}
