import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { trpc } from '../trpc.ts';

interface CommentFormProps {
  readonly postId: number;
  readonly onDone: () => void;
}

export function CommentForm({ postId, onDone }: CommentFormProps) {
  const [body, setBody] = useState('');
  const comment = useMutation(trpc.post.comment.mutationOptions({ onSuccess: onDone }));
  return (
    <form
      className="comment-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (body.trim() !== '' && !comment.isPending) comment.mutate({ postId, body });
      }}
    >
      <input
        ref={focus}
        aria-label="Your answer"
        placeholder="Answer…"
        maxLength={2000}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
        }}
      />
      {body.trim() !== '' && (
        <button type="submit" className="link" disabled={comment.isPending}>
          Send
        </button>
      )}
      {comment.error && <span className="hint">{comment.error.message}</span>}
    </form>
  );
}

/** The field opens by a click that asks for it. */
const focus = (input: HTMLInputElement | null) => input?.focus();
