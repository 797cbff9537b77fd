/** Sessions of a web server, which are kept in Redis. */
export { RedisStore } from "npm:connect-redis@10.0.0";
export { default as session } from "npm:express-session@1.19.0";
