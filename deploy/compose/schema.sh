#!/bin/sh
# Creates Temporal's two databases and updates their schema. Every act is safe to repeat: what exists is left alone.
set -eu
for database in temporal temporal_visibility; do
  case "$database" in temporal) kind=temporal ;; *) kind=visibility ;; esac
  # "already exists" is the one failure that means success here; anything else shows in the next command.
  temporal-sql-tool --database "$database" create-database || echo "database $database is there already"
  # -v 0.0 writes the version table; on a database that has one it is refused, and the update below goes on from it.
  temporal-sql-tool --database "$database" setup-schema -v 0.0 || echo "schema of $database is there already"
  temporal-sql-tool --database "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$kind/versioned"
done
