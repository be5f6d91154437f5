import type { KubeApiSpec } from '../../config/spec.ts';
import type { KubeApi } from '../../k8s/api.ts';

/** The API at an address; the same for the same address, and owned by whoever made this function. */
export type MakeKubeApi = (spec: KubeApiSpec) => KubeApi;
