"""The charts of accounts that selections refer to, version 1 (contract-corpus 1.3).

Codes are fixed; titles are what a new selection prints. A file whose titles differ keeps its own.
"""

_PAYROLL = """
6000 Salaries - G & A
6002 Salaries - Contract Site
6003 Salaries - Human Resources
6004 Salaries - Sales & Marketing
6005 Salaries - Executive Office
6007 Salaries - Regional/District
6010 Salaries - Personal Leave & Sick Pay - Hourly
6012 Salaries - Stockholder Awards
6013 Salaries - Relocation
6014 Salaries - Other
6015 Salaries - Holiday
6016 Salaries - Holiday Premium Operations
6017 Salaries - Overtime
6019 Salaries - Personal Leave & Sick Pay - Salary
6030 Salaries - Communication Expense
6035 Salaries - Commuter Expense
6100 Salaries - Corporate Incentive Program
6101 Salaries - Sales Incentive Program
6110 Salaries - Local Incentive Program
6115 Salaries - Gratuities
"""

_EXPENSE = """
7000 Advertising
7005 Bad Debt Expense
7010 Bank Fees
7011 Credit Card Fees
7015 Business Development
7016 Contract Improvements
7017 Computer Services
7018 Contract Lease Expense
7019 Contract Labor
7020 Contributions
7021 One Time Charges
7026 Equipment Cost
7030 Dues & Subscription
7040 Employee Meetings
7045 Employee Relations
7050 Employee Training
7055 Equipment Lease - Parking Equipment
7060 Equipment Lease - Vehicles
7065 Equipment Rental - Miscellaneous
7070 Equipment Rental - Vehicles
7072 Fines & Penalties
7075 Fuel - Vehicles
7080 Insurance - General Liability
7082 Insurance - Vehicle
7085 Insurance - Other
7090 Internet Expenses
7095 License & Permits
7099 Loss & Damage - Prior Year
7100 Loss & Damage
7101 Service Recovery
7102 Claims Handling Fees
7105 Meals & Entertainment
7110 Miscellaneous
7113 Office Supplies
7115 Outside Services
7120 Payroll Processing
7125 Personnel Recruitment
7126 Mvr Monitoring
7130 Postage
7131 Freight Expense
7135 Production & Collateral
7140 Professional Fees - Accounting
7145 Professional Fees - Legal
7150 Professional Fees - Other
7155 Promotion & Events
7160 Public Relations
7165 Relocations Expense
7170 Rents - Parking
7171 Rents - Office And Other
7175 Repairs & Maintenance
7178 Repairs & Maintenance - Vehicle
7180 Signage
7182 Smallwares
7185 Supplies & Equipment
7190 Taxes - Other
7195 Taxes - Non-Operating
7200 Telephone & Pagers
7205 Tickets & Printed Material
7210 Trade Shows
7215 Travel - General
7217 Travel - Airfare
7219 Travel - Lodging
7220 Uniforms
7225 Utilities
7230 Vehicle Expense
7240 Board Of Director Expenses
7245 Non-Employee Stock Compensation
7270 Royalty Fees - Brand
7275 Marketing Fees - Brand
7350 I.C. Management Service Fees
7351 Overhead Allocation Fee - Affiliate
"""


def _chart(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((line[:4], line[5:]) for line in text.strip().splitlines())


CHARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "payroll-1": _chart(_PAYROLL),
    "expense-1": _chart(_EXPENSE),
}
