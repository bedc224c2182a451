#!/bin/sh
# Creates Temporal's two databases and updates their schema. Every command is safe to repeat: create-database and
# setup-schema leave alone what is there, update-schema goes on from the version that it finds.
set -eu
for database in temporal temporal_visibility; do
  case "$database" in temporal) kind=temporal ;; *) kind=visibility ;; esac
  temporal-sql-tool --database "$database" create-database
  temporal-sql-tool --database "$database" setup-schema -v 0.0
  # The schema that the tool itself brings: the two cannot be of different versions.
  temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$kind"
done
