/** The other client for Redis that many programs use. */
export { createClient, createSentinel, ErrorReply, RESP_TYPES } from "npm:redis@6.3.1";
