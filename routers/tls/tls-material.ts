/**
 * What a data thread needs for TLS: plain text and flags that cross a thread boundary, never file names.
 * Values are checked when they are loaded (material.ts): PEM is well-formed, a key fits its certificate,
 * names of protocols and ciphers are known.
 */
export type IdentityMaterial = {
  /** The leaf, followed by the intermediate certificates to send with it. */
  readonly certPem: string;
  readonly keyPem: string;
};

export type ServerTlsMaterial = {
  readonly identity: IdentityMaterial;
  /** Authorities that client certificates must come from; absent: the system's. */
  readonly clientCaPem?: string;
  /** True: a client without a valid certificate is refused. False: none is asked for. */
  readonly requireClientAuth: boolean;
  readonly ciphers?: readonly string[];
  readonly protocols?: readonly string[];
};

export type ClientTlsMaterial = {
  /** True: any certificate is accepted, whatever it says. */
  readonly disableValidation: boolean;
  /** Authorities that the server's certificate must come from; absent: the system's. */
  readonly trustPem?: string;
  readonly identity?: IdentityMaterial;
  readonly protocols?: readonly string[];
};
