import type { ReactNode } from 'react';
import { Providers } from '../trpc/client.tsx';

export const metadata = { title: 'Notes' };

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body style={{ font: '16px/1.5 system-ui', margin: '3rem auto', maxWidth: '32rem', padding: '0 1rem' }}>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
