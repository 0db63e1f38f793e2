\echo Use "CREATE EXTENSION churn" to load this file. \quit

-- The parts of this script are src/**/*.sql, joined by the Makefile.
