import { untilLive } from '../test/windows.ts';
import type { Camera, WindowOptions } from './camera.ts';

interface Shot extends WindowOptions {
  readonly name: string;
  readonly path: string;
  /** Text that shows that the page is complete. */
  readonly until: string;
}

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
const MARKET = 'Street market this Saturday';
const WRENCH = 'Who has the torque wrench?';

const SHOTS: readonly Shot[] = [
  { name: 'everybody-wide-light', path: '/?as=mei', ...WIDE, colorScheme: 'light', until: MARKET },
  { name: 'organisation-wide-dark', path: '/o/tool-library?as=mei', ...WIDE, colorScheme: 'dark', until: WRENCH },
  { name: 'everybody-narrow-light', path: '/?as=mei', ...NARROW, colorScheme: 'light', until: MARKET },
  { name: 'organisation-narrow-dark', path: '/o/tool-library?as=mei', ...NARROW, colorScheme: 'dark', until: WRENCH },
  {
    name: 'organisations-narrow-light',
    path: '/organisations?as=mei',
    ...NARROW,
    colorScheme: 'light',
    until: 'Choir',
  },
  {
    name: 'notifications-narrow-dark',
    path: '/notifications?as=mei',
    ...NARROW,
    colorScheme: 'dark',
    until: 'answered',
  },
  { name: 'chooser-wide-light', path: '/', ...WIDE, colorScheme: 'light', until: 'Mei Tanaka' },
];

/** The pages of the demo. */
export async function takeDemo(camera: Camera, url: string): Promise<void> {
  for (const shot of SHOTS) {
    const page = await camera.openWindow(url + shot.path, shot);
    await page.getByText(shot.until).first().waitFor();
    if (shot.path !== '/') await untilLive(page);
    await camera.take(page, shot.name);
    await page.context().close();
  }
  await takeChaos(camera, url);
}

/** A cut socket, and how the window recovers. */
async function takeChaos(camera: Camera, url: string): Promise<void> {
  const page = await camera.openWindow(`${url}/o/tool-library?as=mei`, { ...WIDE, colorScheme: 'light' });
  await untilLive(page);
  await page.locator('.pill').click();
  await page.getByRole('button', { name: 'Cut' }).click();
  await page.locator('.pill[data-state=reconnecting]').waitFor();
  await camera.take(page, 'chaos-wide-light');
  await page.context().close();
}
