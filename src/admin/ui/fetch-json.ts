/** A question to the server, relative to this page; an answer that is not 200 is an error with its text. */
export async function fetchJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Error('The router cannot be reached.');
  }
  if (!response.ok) throw new Error((await response.text()) || `The router answered ${response.status}.`);
  return (await response.json()) as T;
}

export function query(path: string, params: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(params)}`;
}
