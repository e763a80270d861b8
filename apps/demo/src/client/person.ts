const KEY = 'demo-person';

/**
 * Who this window is. It belongs to the window and not to the browser, so that two windows can be two people.
 * An address with `?as=mei` chooses at once, which is what "open another window as Mei" does.
 */
export function readPersonId(): string | null {
  const address = new URL(location.href);
  const asked = address.searchParams.get('as');
  if (asked !== null) {
    sessionStorage.setItem(KEY, asked);
    address.searchParams.delete('as');
    history.replaceState(null, '', address);
  }
  return sessionStorage.getItem(KEY);
}

/** Becomes somebody else, or nobody. The page starts anew, so that nothing of the former person stays in memory. */
export function becomePerson(personId: string | null): void {
  if (personId === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, personId);
  location.assign('/');
}

/** The address that opens a window as somebody else. */
export function addressAs(personId: string): string {
  return `${location.pathname}?as=${encodeURIComponent(personId)}`;
}
