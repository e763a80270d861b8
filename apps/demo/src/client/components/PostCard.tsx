import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { trpc } from '../trpc.ts';
import type { Post } from '../types.ts';
import { Avatar } from './Avatar.tsx';
import { CommentForm } from './CommentForm.tsx';
import { Icon } from './Icon.tsx';
import { RelativeTime } from './RelativeTime.tsx';

interface PostCardProps {
  readonly post: Post;
  readonly isNew: boolean;
}

export function PostCard({ post, isNew }: PostCardProps) {
  const applaud = useMutation(trpc.post.applaud.mutationOptions());
  const [isAnswering, setIsAnswering] = useState(false);
  const { author, applause, comments } = post;

  return (
    <article className={isNew ? 'post post-new' : 'post'}>
      <Avatar id={author.id} name={author.name} />
      <div className="post-text">
        <p className="byline">
          <strong>{author.name}</strong> <RelativeTime at={post.createdAt} />
        </p>
        <p className="post-body">{post.body}</p>
        <div className="post-actions">
          <button
            type="button"
            className="action"
            aria-pressed={applause.mine}
            aria-label={`Applause, ${applause.count}`}
            disabled={applaud.isPending}
            onClick={() => applaud.mutate({ postId: post.id, on: !applause.mine })}
          >
            <Icon name="applause" />
            {applause.count > 0 && applause.count}
          </button>
          <button
            type="button"
            className="action"
            aria-expanded={isAnswering}
            aria-label={`Answer, ${comments.length} so far`}
            onClick={() => setIsAnswering(!isAnswering)}
          >
            <Icon name="comment" />
            {comments.length > 0 && comments.length}
          </button>
        </div>
        {comments.length > 0 && (
          <ol className="comments">
            {comments.map((comment) => (
              <li key={comment.id}>
                <Avatar id={comment.author.id} name={comment.author.name} size="small" />
                <p>
                  <span className="byline">
                    <strong>{comment.author.name}</strong> <RelativeTime at={comment.createdAt} />
                  </span>
                  <span className="comment-body">{comment.body}</span>
                </p>
              </li>
            ))}
          </ol>
        )}
        {isAnswering && <CommentForm postId={post.id} onDone={() => setIsAnswering(false)} />}
      </div>
    </article>
  );
}
