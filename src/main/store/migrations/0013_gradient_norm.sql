-- The point after the last step has no gradient, since no update follows it: until now it was kept as 0.
ALTER TABLE metric ADD COLUMN gradient REAL;
UPDATE metric SET gradient = NULLIF(gradient_norm, 0);
ALTER TABLE metric DROP COLUMN gradient_norm;
ALTER TABLE metric RENAME COLUMN gradient TO gradient_norm;
