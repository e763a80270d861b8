import { useSyncExternalStore } from 'react';

/** The pages of the app. */
export type Page =
  | { readonly name: 'everybody' }
  | { readonly name: 'organisation'; readonly orgId: string }
  | { readonly name: 'organisations' }
  | { readonly name: 'notifications' };

const ORGANISATION = /^\/o\/([a-z0-9-]+)$/;

export function pageOf(path: string): Page {
  const orgId = ORGANISATION.exec(path)?.[1];
  if (orgId) return { name: 'organisation', orgId };
  if (path === '/organisations') return { name: 'organisations' };
  if (path === '/notifications') return { name: 'notifications' };
  return { name: 'everybody' };
}

export function pathOf(page: Page): string {
  switch (page.name) {
    case 'everybody':
      return '/';
    case 'organisation':
      return `/o/${page.orgId}`;
    default:
      return `/${page.name}`;
  }
}

const listeners = new Set<() => void>();
const notify = () => {
  for (const listener of [...listeners]) listener();
};
window.addEventListener('popstate', notify);

export function navigate(page: Page): void {
  history.pushState(null, '', pathOf(page));
  notify();
  window.scrollTo(0, 0);
}

/** The path of the address bar; pure of state, so back and forward just work. */
export function usePath(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname,
  );
}
