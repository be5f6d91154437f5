/**
 * What a checked configuration is: frozen plain data that can cross a thread boundary (paths and dtabs are
 * their printed text, certificates are file names). Times are milliseconds, sizes bytes; defaults are filled
 * in.
 */
import type { Position } from '../dtab/names.ts';

/** What all connections have. Time limits: for a connection on which nothing moves in that direction. */
export type ConnectionSpec = {
  readonly noDelay: boolean;
  readonly keepAlive?: boolean;
  readonly readTimeoutMs?: number;
  readonly writeTimeoutMs?: number;
};

export type SocketSpec = ConnectionSpec & {
  readonly reusePort: boolean;
  readonly backlog?: number;
};

export type ServerTlsSpec = {
  readonly certPath: string;
  readonly keyPath: string;
  readonly intermediateCertsPath?: string;
  readonly caCertPath?: string;
  readonly requireClientAuth: boolean;
  readonly ciphers?: readonly string[];
  readonly protocols?: readonly string[];
  /** How long connections made with a certificate that has been replaced may live. */
  readonly certDrainSecs?: number;
};

export type ClientTlsSpec = {
  readonly enabled: boolean;
  readonly disableValidation: boolean;
  /**
   * True: a client for which no later entry says otherwise gets no connection at all, neither TLS nor plain
   * text. It is what the strict `boundPath` of old configs becomes. Stands alone.
   */
  readonly refuse?: boolean;
  /** May hold `{captures}` of the prefix that it stands under. */
  readonly commonName?: string;
  readonly trustCerts?: readonly string[];
  readonly trustCertsBundle?: string;
  readonly clientAuth?: {
    readonly certPath: string;
    readonly keyPath: string;
    readonly intermediateCertsPath?: string;
  };
  readonly protocols?: readonly string[];
  readonly certDrainSecs?: number;
};

export type PoolSpec = {
  readonly minSize: number;
  readonly maxSize: number;
  /** Absent: by the keep-alive time that the endpoint announces (decision 16). */
  readonly idleTimeMs?: number;
  readonly maxWaiters: number;
};

export type BudgetSpec = {
  readonly ttlMs: number;
  readonly minRetriesPerSec: number;
  readonly percentCanRetry: number;
};

/** `enableProbation`: an endpoint that leaves its address set stays for as long as it is open. */
export type LoadBalancerSpec = { readonly enableProbation: boolean } & (
  | { readonly kind: 'p2c' | 'roundRobin'; readonly maxEffort: number }
  | { readonly kind: 'ewma'; readonly maxEffort: number; readonly decayTimeMs: number }
  | {
      readonly kind: 'aperture';
      readonly maxEffort: number;
      readonly smoothWindowMs: number;
      readonly lowLoad: number;
      readonly highLoad: number;
      readonly minAperture: number;
    }
  | { readonly kind: 'heap' }
);

/** `backoff` absent: equal-jittered, from 5 s up to 300 s. */
export type AccrualSpec = { readonly backoff?: BackoffSpec } & (
  | { readonly kind: 'none' }
  | { readonly kind: 'io.l5d.consecutiveFailures'; readonly failures: number }
  | { readonly kind: 'io.l5d.successRate'; readonly successRate: number; readonly requests: number }
  | { readonly kind: 'io.l5d.successRateWindowed'; readonly successRate: number; readonly windowMs: number }
);

/**
 * Parameters of one entry of `client`; a key that is absent keeps what an earlier matching entry says. A time
 * limit of 0 (`requestAttemptTimeoutMs`, here and `totalTimeoutMs` of services) lifts the limit of an earlier
 * entry.
 */
export type ClientParams = {
  readonly tls?: ClientTlsSpec;
  readonly loadBalancer?: LoadBalancerSpec;
  readonly failureAccrual?: AccrualSpec;
  readonly failFast?: boolean;
  readonly socketOptions?: ConnectionSpec;
  readonly hostConnectionPool?: PoolSpec;
  readonly clientSession?: { readonly lifeTimeMs?: number; readonly idleTimeMs?: number };
  readonly requestAttemptTimeoutMs?: number;
  readonly requeueBudget?: BudgetSpec;
  readonly connectTimeoutMs?: number;
  readonly bodyIdleTimeoutMs?: number;
  readonly forwardClientCert?: boolean;
};

export type BackoffSpec =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'jittered'; readonly minMs: number; readonly maxMs: number };

export type ClassifierKind =
  | 'io.l5d.http.nonRetryable5XX'
  | 'io.l5d.http.retryableRead5XX'
  | 'io.l5d.http.retryableIdempotent5XX'
  | 'io.l5d.http.retryableAll5XX'
  | 'io.l5d.http.allSuccessful';

/** Parameters of one entry of `service`. */
export type ServiceParams = {
  readonly totalTimeoutMs?: number;
  readonly retryBudget?: BudgetSpec;
  readonly retryBackoff?: BackoffSpec;
  readonly responseClassifier?: { readonly kind: ClassifierKind };
};

/** `prefix` is a pattern (config/path-matcher). A global section is one entry with prefix `/`. */
export type Section<P> = readonly { readonly prefix: string; readonly params: P }[];

export type ForwardedLabelSpec =
  | { readonly kind: 'ip' | 'ip:port' | 'requestRandom' | 'connectionRandom' | 'router' }
  | { readonly kind: 'static'; readonly label: string };

export type ServerSpec = {
  readonly ip: string;
  readonly port: number;
  readonly label?: string;
  readonly tls?: ServerTlsSpec;
  readonly maxConcurrentRequests?: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerSource?: number;
  /** What the collected bodies of requests may take together. */
  readonly maxBufferedBytes: number;
  /** A request body that is slower for `bodyIdleTimeoutMs` is given up; 0: none is. */
  readonly minBodyBytesPerSec: number;
  /** Requests are refused while the event loop is later than this. */
  readonly maxLoopDelayMs?: number;
  readonly timeoutMs?: number;
  readonly clearContext: boolean;
  readonly socketOptions: SocketSpec;
  readonly lifeTimeMs?: number;
  readonly idleTimeMs: number;
  readonly headTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly maxCallDepth: number;
  /** Ports that a CONNECT may name; absent: 80, 443 and those that the dtab binds. */
  readonly connect?: { readonly ports: readonly number[] };
  readonly timestampHeader?: string;
  readonly addForwardedHeader?: { readonly by: ForwardedLabelSpec; readonly for: ForwardedLabelSpec };
};

export type IdentifierSpec =
  | { readonly kind: 'io.l5d.header.token'; readonly header: string }
  | { readonly kind: 'io.l5d.header'; readonly header: string }
  | { readonly kind: 'io.l5d.methodAndHost'; readonly httpUriInDst: boolean }
  | { readonly kind: 'io.l5d.path'; readonly segments: number; readonly consume: boolean }
  | { readonly kind: 'io.l5d.static'; readonly path: string }
  | {
      readonly kind: 'io.l5d.ingress';
      /** Absent: all namespaces. */
      readonly namespace?: string;
      /** The class of the ingresses that are ours. */
      readonly ingressClass: string;
      readonly ignoreDefaultBackends: boolean;
      readonly api: KubeApiSpec;
    };

/**
 * Where the Kubernetes API is: plain HTTP to this address. Without both, the service account of the pod, or
 * what the command line names, or localhost:8001 (decision 6).
 */
export type KubeApiSpec = { readonly host?: string; readonly port?: number };

/**
 * `prefix` is all that stands in the id between `/%` and the id before: for a port, the number is part of its
 * default.
 */
export type TransformerSpec =
  | { readonly kind: 'io.l5d.localhost'; readonly prefix: string }
  | { readonly kind: 'io.l5d.specificHost'; readonly prefix: string; readonly host: string }
  | { readonly kind: 'io.l5d.port'; readonly prefix: string; readonly port: number }
  | { readonly kind: 'io.l5d.const'; readonly prefix: string; readonly path: string }
  | { readonly kind: 'io.l5d.replace'; readonly prefix: string; readonly path: string }
  | {
      readonly kind: 'io.l5d.k8s.daemonset';
      readonly prefix: string;
      readonly namespace: string;
      readonly service: string;
      /** A name or a number. */
      readonly port: string;
      readonly hostNetwork: boolean;
      readonly api: KubeApiSpec;
    }
  | { readonly kind: 'io.l5d.k8s.localnode'; readonly prefix: string; readonly hostNetwork: boolean };

export type InterpreterSpec =
  | { readonly kind: 'default'; readonly transformers: readonly TransformerSpec[] }
  | {
      readonly kind: 'io.l5d.fs';
      readonly dtabFile: string;
      readonly transformers: readonly TransformerSpec[];
    };

/**
 * `prefix` is the path text after `/#`, e.g. `/io.l5d.fs`. `legacyNames`: names without `/#` resolve too
 * (decision 5).
 */
export type NamerSpec = {
  readonly prefix: string;
  readonly transformers: readonly TransformerSpec[];
  readonly legacyNames: boolean;
} & (
  | { readonly kind: 'io.l5d.fs'; readonly rootDir: string }
  | { readonly kind: 'io.l5d.rewrite'; readonly pattern: string; readonly name: string }
  | (KubeNamerSpec & { readonly kind: 'io.l5d.k8s' | 'io.l5d.k8s.external' })
  /** The namespace stands in the environment variable `envVar`. */
  | (KubeNamerSpec & { readonly kind: 'io.l5d.k8s.ns'; readonly envVar: string })
);

/** `labelSelector`: the name of a label, whose value is one more segment of the names. */
export type KubeNamerSpec = { readonly api: KubeApiSpec; readonly labelSelector?: string };

/**
 * Dtab text of the config, where it starts there, and where each of its entries does, so that an entry can be
 * shown with its line. `dtabOf` of config/name-decoders makes the table.
 */
export type DtabSpec = {
  readonly text: string;
  readonly source: string;
  readonly start: Position;
  readonly entries: readonly Position[];
};

/** `httpAccessLog…` of a router. */
export type AccessLogSpec = {
  /** A file, or `stdout`. */
  readonly path: string;
  readonly format: 'common' | 'json';
  /** As written: `never`, `hourly`, `daily`, `weekly(n)`, or a size such as `3.megabytes`. */
  readonly rollPolicy: string;
  readonly append: boolean;
  /** Rolled files that are kept; negative: all. */
  readonly keep: number;
};

export type RouterSpec = {
  readonly protocol: 'http';
  readonly label: string;
  readonly dstPrefix: string;
  readonly dtab: DtabSpec;
  readonly originator: boolean;
  readonly servers: readonly ServerSpec[];
  readonly interpreter: InterpreterSpec;
  readonly bindingTimeoutMs: number;
  readonly bindingCache: {
    readonly paths: number;
    readonly trees: number;
    readonly bounds: number;
    readonly clients: number;
    readonly idleTtlMs: number;
  };
  readonly identifiers: readonly IdentifierSpec[];
  readonly client: Section<ClientParams>;
  readonly service: Section<ServiceParams>;
  /**
   * Bodies up to this length are buffered whole before they are forwarded; Infinity when streaming is
   * disabled.
   */
  readonly streamAfterBytes: number;
  readonly maxHeadersBytes: number;
  readonly maxInitialLineBytes: number;
  readonly maxErrResponseChars: number;
  readonly accessLog?: AccessLogSpec;
  readonly tracePropagator: { readonly kind: 'io.l5d.default' | 'io.l5d.zipkin' };
};

export type AdminSpec = {
  readonly ip: string;
  readonly port: number;
  readonly shutdownGraceMs: number;
  /** How long connections are still accepted after `/readyz` has begun to say no. */
  readonly drain: { readonly delayMs: number };
  readonly reload: {
    /** The file of the configuration is read again when it changes. */
    readonly watch: boolean;
    /** `POST /config` is answered to others than callers on loopback. */
    readonly remote: boolean;
  };
  readonly socketOptions: SocketSpec;
  readonly tls?: ServerTlsSpec;
  readonly httpIdentifierPort?: number;
  readonly security?: {
    readonly uiEnabled: boolean;
    readonly controlEnabled: boolean;
    readonly diagnosticsEnabled: boolean;
    readonly pathWhitelist: readonly string[];
    readonly pathBlacklist: readonly string[];
  };
  readonly fleet?: FleetSpec;
};

/** The other nodes: listed, and those that the name `dst` is bound to. */
export type FleetSpec = {
  readonly peers: readonly { readonly name: string; readonly url: string }[];
  readonly dst?: string;
};

export type TelemeterSpec =
  /** `maxSeries`: values of one label that are shown by their own names. */
  | {
      readonly kind: 'io.l5d.prometheus';
      readonly path: string;
      readonly prefix: string;
      readonly maxSeries: number;
    }
  | { readonly kind: 'io.l5d.tracelog'; readonly sampleRate: number; readonly level: string }
  | { readonly kind: 'io.l5d.recentRequests'; readonly sampleRate: number; readonly capacity: number }
  | {
      readonly kind: 'io.l5d.zipkin';
      readonly host: string;
      readonly port: number;
      readonly sampleRate: number;
    }
  | { readonly kind: 'io.l5d.influxdb' }
  | {
      readonly kind: 'io.l5d.statsd';
      readonly prefix: string;
      readonly hostname: string;
      readonly port: number;
      readonly gaugeIntervalMs: number;
      readonly sampleRate: number;
    }
  /** `endpoint` is the URL that `/v1/traces` is appended to. */
  | { readonly kind: 'io.turnout.otlp'; readonly endpoint: string; readonly sampleRate: number };

export type LinkerSpec = {
  /** Name of the source: the file as given, or `<stdin>`. */
  readonly source: string;
  readonly admin: AdminSpec;
  readonly routers: readonly RouterSpec[];
  readonly namers: readonly NamerSpec[];
  readonly telemetry: readonly TelemeterSpec[];
  /** The parsed configuration as written (after the rewriting of old forms), for `/config.json`. */
  readonly json: unknown;
};
