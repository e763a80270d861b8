import type { CSSProperties } from 'react';

interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly size?: 'small' | 'medium' | 'large';
  readonly shape?: 'round' | 'square';
}

/** Initials on a colour that always belongs to the same id. The name stands beside it, so it is decoration. */
export function Avatar({ id, name, size = 'medium', shape = 'round' }: AvatarProps) {
  const initials = name
    .split(' ')
    .filter((word) => /^\p{Lu}/u.test(word))
    .map((word) => word[0])
    .slice(0, 2)
    .join('');
  return (
    <span className={`avatar avatar-${size} avatar-${shape}`} style={hue(id)} aria-hidden="true">
      {initials}
    </span>
  );
}

/** Where the hash begins: a value for which the demo's own people and organisations get well-separated colours. */
const HASH_START = 34_306;

function hue(id: string): CSSProperties {
  let hash = HASH_START;
  for (const char of id) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619) >>> 0;
  const property: Record<`--${string}`, number> = { '--hue': hash % 360 };
  return property;
}
