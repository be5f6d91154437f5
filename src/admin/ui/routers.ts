/** `routers.json`. */
export type RouterSummary = {
  readonly label: string;
  readonly dtab: readonly { readonly dentry: string; readonly line?: number }[];
  readonly servers: readonly { readonly ip: string; readonly port: number; readonly tls: boolean }[];
};
