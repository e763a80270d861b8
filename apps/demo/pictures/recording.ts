import type { Page } from 'playwright';
import { untilLive, untilShown } from '../test/windows.ts';
import { animatedWebp, type Frame } from './animated-webp.ts';
import { type Camera, shoot } from './camera.ts';
import { openDevtools } from './devtools-shots.ts';
import { untilQuiet } from './until-quiet.ts';

const WINDOW = { width: 540, height: 640 };
const FRAME = { width: 1144, height: 704 };
const TYPED_MS = 70;
const POST = 'Half an hour until the buns are gone, @mei.';
/** The keys that one picture is taken after. */
const KEYS_PER_PICTURE = 4;

/** The moving picture of the README: Amara writes, Mei sees, and the devtools in Mei's window say why. */
export async function takeRecording(camera: Camera, url: string): Promise<void> {
  const [left, right] = await Promise.all([
    camera.openWindow(`${url}/?as=amara`, { ...WINDOW, colorScheme: 'dark' }),
    camera.openWindow(`${url}/?as=mei`, { ...WINDOW, colorScheme: 'light' }),
  ]);
  await Promise.all([left, right].map(untilLive));
  await openDevtools(right, WINDOW.height, 0.46);
  await Promise.all([left, right].map(untilQuiet));
  const hide = '[data-op-realtime-devtools] { display: none }';
  await left.addStyleTag({ content: hide });
  await right.getByRole('button', { name: 'Forget what happened' }).click();

  await right.mouse.move(1, 1);

  const stage = await camera.openWindow('about:blank', { ...FRAME, colorScheme: 'light' });
  const film = new Film(camera, stage, [left, right]);
  await film.picture(900);
  const field = left.locator('.composer textarea');
  await field.click();
  for (let at = 0; at < POST.length; at += KEYS_PER_PICTURE) {
    await field.pressSequentially(POST.slice(at, at + KEYS_PER_PICTURE));
    await film.picture(TYPED_MS * KEYS_PER_PICTURE);
  }
  await film.picture(500);
  await left.getByRole('button', { name: 'Post', exact: true }).click();
  await untilShown(left, 'Half an hour until');
  await film.picture(400);
  await Promise.all([left, right].map((page) => untilShown(page, 'Half an hour until')));
  await right.getByTestId('unread').waitFor();
  await Promise.all([left, right].map(untilQuiet));
  await film.picture(1_800);
  await right
    .getByRole('button', { name: /^Applause/ })
    .first()
    .click();
  await right.getByRole('option').filter({ hasText: 'post.applaud' }).waitFor();
  await Promise.all([left, right].map(untilQuiet));
  await film.picture(2_600);
  await camera.keep('two-windows.webp', animatedWebp(FRAME.width, FRAME.height, film.frames));
  await Promise.all([left, right, stage].map((page) => page.context().close()));
}

/** Pictures of two windows beside each other, each with the time for which it is shown. */
class Film {
  readonly frames: Frame[] = [];
  readonly #camera: Camera;
  readonly #stage: Page;
  readonly #windows: readonly Page[];
  #last: Buffer | null = null;

  constructor(camera: Camera, stage: Page, windows: readonly Page[]) {
    this.#camera = camera;
    this.#stage = stage;
    this.#windows = windows;
  }

  async picture(durationMs: number): Promise<void> {
    const shots = await Promise.all(this.#windows.map(shoot));
    const images = shots.map((png) => `<img src="data:image/png;base64,${png.toString('base64')}">`);
    await this.#stage.setContent(`<style>
      body { margin: 0; display: flex; gap: 24px; justify-content: center; align-items: center; height: 100vh; background: #e9ebe4 }
      img { border-radius: 10px; box-shadow: 0 6px 24px rgb(20 40 30 / 18%) }
    </style>${images.join('')}`);
    await this.#stage.waitForFunction(() => [...document.images].every(({ complete }) => complete));
    const now = await shoot(this.#stage);
    this.frames.push({ ...(await this.#camera.patch(this.#last, now)), durationMs });
    this.#last = now;
  }
}
