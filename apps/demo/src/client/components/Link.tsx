import type { ReactNode } from 'react';
import { navigate, type Page, pathOf, usePath } from '../location.ts';

interface LinkProps {
  readonly to: Page;
  readonly className?: string;
  readonly children: ReactNode;
}

/** An ordinary link that changes the page without loading it anew; with a modifier key the browser does as always. */
export function Link({ to, className, children }: LinkProps) {
  const path = pathOf(to);
  const isCurrent = usePath() === path;
  return (
    <a
      href={path}
      className={className}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
