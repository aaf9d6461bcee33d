-- A person whose access was taken away: what they did keeps their name, and their address is free again.
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
