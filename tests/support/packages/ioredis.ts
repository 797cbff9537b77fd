/** A client for Redis that many programs use. */
export { Redis, type RedisOptions } from "npm:ioredis@6.0.0";
