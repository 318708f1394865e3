"""Taking resources over from files of the inventory and of partners: CSV and XLSX, row by row, with a report."""
