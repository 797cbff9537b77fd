/**
 * The classes of clients, whose output is limited differently: the number of each is its place in the setting.
 *
 * @module
 */

/** Their names, in the order of `client-output-buffer-limit`. */
export const CLIENT_CLASSES = ["normal", "slave", "pubsub"] as const;

/** Everybody else. */
export const NORMAL_CLASS: number = CLIENT_CLASSES.indexOf("normal");
/** Replicas. */
export const REPLICA_CLASS: number = CLIENT_CLASSES.indexOf("slave");
/** Those who have subscribed to something. */
export const PUBSUB_CLASS: number = CLIENT_CLASSES.indexOf("pubsub");
