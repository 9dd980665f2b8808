import { render } from 'preact'
import '../theme.css'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
render(<h1>Tidemark</h1>, root)
