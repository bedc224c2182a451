import { isDeepStrictEqual } from 'node:util';
import type { Told } from '../told.js';

/** Tells something of a topic. */
export type Tell = <Name extends keyof Told>(name: Name, value: Told[Name]) => void;

/** Follows a topic and tells what is new, until it is told to stop. It throws nothing that could be told. */
export type Follow = (topic: string, tell: Tell, signal: AbortSignal) => Promise<void>;

interface Feed {
  listeners: Set<Tell>;
  /** What was told last, for who comes later. */
  latest: Map<keyof Told, Told[keyof Told]>;
  stopping: AbortController;
}

/**
 * Asks Temporal once for all who look at the same thing, and not at all while nobody looks: a topic is followed from its first listener to
 * its last.
 */
export class SharedFeeds {
  private readonly feeds = new Map<string, Feed>();

  constructor(private readonly follow: Follow) {}

  /** Topics that are followed. */
  get topics(): string[] {
    return [...this.feeds.keys()];
  }

  /**
   * Listens to a topic: at once to what was told last, then to all that changes.
   *
   * @returns ends the listening
   */
  listen(topic: string, listener: Tell): () => void {
    const feed = this.feeds.get(topic) ?? this.begin(topic);
    feed.listeners.add(listener);
    for (const [name, value] of feed.latest) listener(name, value);
    return () => {
      feed.listeners.delete(listener);
      if (feed.listeners.size === 0) this.end(topic, feed);
    };
  }

  /** Ends all. */
  close(): void {
    for (const [topic, feed] of this.feeds) this.end(topic, feed);
  }

  private begin(topic: string): Feed {
    const feed: Feed = { listeners: new Set(), latest: new Map(), stopping: new AbortController() };
    this.feeds.set(topic, feed);
    const tell: Tell = (name, value) => {
      if (feed.stopping.signal.aborted || isDeepStrictEqual(feed.latest.get(name), value)) return;
      feed.latest.set(name, value);
      for (const listener of feed.listeners) listener(name, value);
    };
    void this.follow(topic, tell, feed.stopping.signal);
    return feed;
  }

  private end(topic: string, feed: Feed): void {
    feed.stopping.abort();
    if (this.feeds.get(topic) === feed) this.feeds.delete(topic);
  }
}
