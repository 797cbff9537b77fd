/**
 * Why some settings of Redis do nothing here, in the words of the one line that is logged when
 * somebody sets one of them.
 *
 * @module
 */

/** Cluster mode. */
export const NO_CLUSTER_YET = "cluster mode is not there yet";
/** Lua. */
export const NO_SCRIPTS_YET = "scripts are not there yet";
/** Users with rights of their own. */
export const NO_USERS_YET = "users beside the default one are not there yet";
/** Encryption. */
export const NO_TLS = "connections are not encrypted; put a TLS proxy in front of the port";
/** The system's log. */
export const NO_SYSLOG = "the runtime has no access to the system's log; use 'logfile'";
/** Threads for reading and writing. */
export const ONE_THREAD = "one thread reads, runs and writes";
/** Which processor runs what. */
export const NO_AFFINITY = "the runtime can't choose processors; use 'taskset' or the like";
/** The name of the process. */
export const NO_TITLE = "the runtime can't change the title of its process";
/** Other processes and the kernel. */
export const NO_OOM_SCORE = "the runtime may not change the process's score in /proc";
/** Another allocator. */
export const NO_JEMALLOC = "memory is not managed by jemalloc";
/** The backlog. */
export const FIXED_BACKLOG = "the runtime chooses the length of the queue itself";
/** Background work at a pace. */
export const NO_HZ = "background work has a pace of its own, which doesn't depend on this";
/** Lists that are compressed. */
export const UNCOMPRESSED =
  "the inner nodes of lists are kept as they are, so that they are reached in one step";
