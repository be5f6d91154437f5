/**
 * What the admin server shows and the little that it can ask for: read-only views that the linker fills in.
 */
import type { TelemeterSpec } from '../../config/spec.ts';
import type { Delegation } from '../../dtab/delegation.ts';
import type { Clock } from '../base/clock.ts';
import type { FailureKind } from '../base/failure.ts';
import type { Log } from '../base/log.ts';
import type { Generation } from '../reload.ts';
import type { MetricsTree } from '../telemetry/metrics-tree.ts';
import type { RecentRequests } from '../telemetry/recent-requests.ts';
import type { Tap } from '../telemetry/tap.ts';

export type DelegateAnswer =
  | { readonly type: 'ok'; readonly delegation: Delegation }
  /** No router of this label, or its interpreter cannot explain itself. */
  | { readonly type: 'cannot' }
  | { readonly type: 'bad-dtab' | 'bad-path'; readonly message: string };

/** An endpoint as the data threads see it: numbers are sums over them, the status is the worst. */
export type EndpointState = {
  readonly address: string;
  /** `busy`: taken for dead, or being tried again. */
  readonly status: 'open' | 'busy' | 'closed';
  /** `alive`, `dead`, `probing`; absent where failures are not counted. */
  readonly accrual?: string;
  /** Attempts in progress. */
  readonly load: number;
  readonly connections: number;
  readonly weight: number;
  /** What the balancer expects of it, if it measures that. */
  readonly latencyMs?: number;
};

export type ClientState = {
  /** `bound`, `Neg`, `Pending` or `Failed: <message>`. */
  readonly state: string;
  readonly addresses: readonly string[];
  /** By the label of the router that the client belongs to. */
  readonly routers?: Readonly<Record<string, RouterClient>>;
};

/** The name that endpoints must prove ('': none is verified), or why there can be no TLS. */
export type TlsChoice = { readonly name: string } | { readonly error: string };

export type RouterClient = {
  readonly tls?: TlsChoice;
  /** Since its addresses were told last. */
  readonly ageMs: number;
  readonly endpoints: readonly EndpointState[];
};

export type ShownCertificate = {
  readonly file: string;
  /** Places in the configuration, such as `routers[0].servers[0].tls`. */
  readonly usedBy: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: string;
  readonly fingerprint256: string;
};

export type CertificateList = {
  readonly certificates: readonly ShownCertificate[];
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
};

/** Another node's admin server. */
export type FleetPeer = { readonly name: string; readonly url: string };

/** A router as its configuration says it. */
export type RouterSummary = {
  readonly label: string;
  /** Its kind. */
  readonly interpreter: string;
  /** Of the configuration, an entry each, with the line of the file. */
  readonly dtab: readonly { readonly dentry: string; readonly line?: number }[];
  readonly servers: readonly { readonly ip: string; readonly port: number; readonly tls: boolean }[];
};

/** The dtab of its own; `failed: <why>` while it has none. */
export type InterpreterState = { readonly state: string | { readonly dtab: string } };

/** Where it is, as far as it has a place of its own, and what it is. */
export type LintFinding = {
  readonly rule: string;
  readonly source: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
};

/** A request as received, for the identifiers. `headers`: name and value in turn, in the order received. */
export type ReceivedHead = {
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: readonly string[];
};

export type Identification = {
  readonly path?: string;
  readonly dtab?: string;
  /** Why there is no path, and by which code a request is refused then. */
  readonly error?: string;
  readonly code?: FailureKind;
};

/** How the configuration is replaced. */
export interface Reloads {
  /** Without a text the process reads its own file again. A string says why there is nothing to do. */
  reload(text: string | undefined, dryRun: boolean): Promise<Generation | string>;
  /** Those tried last, newest first. */
  generations(): readonly Generation[];
}

export interface AdminSources extends Reloads {
  readonly clock: Clock;
  readonly log: Log;
  /** Name, version, build and the like, in the order to show them. */
  readonly serverInfo: Readonly<Record<string, string>>;
  readonly metrics: MetricsTree;
  /** Requests as they finish, for whoever listens. */
  readonly tap: Tap;
  /** Of the telemeter `io.l5d.recentRequests`. */
  readonly recent: RecentRequests | undefined;
  readonly telemetry: readonly TelemeterSpec[];
  /** Prefixes of the configured namers, such as `/io.l5d.fs`. */
  readonly namers: readonly string[];
  routers(): readonly RouterSummary[];
  /** Of a router's client with this bound id; undefined without TLS. */
  clientTls(router: string, id: string): TlsChoice | undefined;
  /** The parsed configuration in force, as plain data. */
  config(): unknown;
  /** `router` is a label; undefined asks for the interpreter of no router. */
  delegate(
    router: string | undefined,
    dtab: string,
    path: string,
    withBase: boolean,
  ): Promise<DelegateAnswer>;
  /** Why the process is not ready for traffic; empty when it is. */
  unready(): readonly string[];
  /** Begins the graceful end; called after the caller has been answered. */
  shutdown(graceMs: number): void;
  boundNames(): Promise<readonly string[]>;
  /** By the label of the router. */
  interpreterState(router: string): Promise<InterpreterState | undefined>;
  /** Of the configuration in force. */
  lint(): Promise<readonly LintFinding[]>;
  clientState(): Promise<Readonly<Record<string, ClientState>>>;
  /** In the files that the configuration names. */
  certificates(): Promise<CertificateList>;
  fleet(): readonly FleetPeer[];
  /** What is watched of the Kubernetes API, and how current it is. */
  kubernetes(): readonly unknown[];
  /** By router label. */
  identify(head: ReceivedHead): Readonly<Record<string, Identification>>;
}
