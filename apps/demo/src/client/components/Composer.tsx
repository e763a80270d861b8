import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, useState } from 'react';
import { trpc } from '../trpc.ts';

interface ComposerProps {
  readonly orgId: string | null;
  readonly placeholder: string;
}

export function Composer({ orgId, placeholder }: ComposerProps) {
  const [body, setBody] = useState('');
  const create = useMutation(trpc.post.create.mutationOptions({ onSuccess: () => setBody('') }));

  const submit = () => {
    if (body.trim() !== '' && !create.isPending) create.mutate({ orgId, body });
  };

  return (
    <form
      className="composer"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        aria-label={placeholder}
        placeholder={placeholder}
        rows={1}
        maxLength={2000}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) submit();
        }}
      />
      <div className="composer-foot">
        <span className="hint">{create.error ? create.error.message : 'A name with @ tells that person.'}</span>
        <button type="submit" className="button" disabled={body.trim() === '' || create.isPending}>
          Post
        </button>
      </div>
    </form>
  );
}
