/** A configuration when one is given, else the router whose admin server that is. */
import type { ConfigText } from '../read-config.ts';
import { AdminClient } from './admin-client.ts';
import type { Namings } from './namings.ts';
import { Offline, specOf } from './offline.ts';

export function openNamings(admin: string, config: ConfigText | undefined): Namings {
  return config === undefined ? new AdminClient(admin) : new Offline(specOf(config));
}
